# Ships a model: deploy.sh MODEL AUC. Stands in for a call of a model registry.
size=$(wc -c <"$1" | tr -d ' ')
echo "shipped a model of $size bytes with auc $2"
